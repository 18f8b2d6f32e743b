/**
 * The fields of Autotask's records and what their collections allow, as the vendor's published Swagger document has them
 * (read through the MIT-licensed package autotask-rest-api-types 0.1.2, which is generated from it). `d`: a date, `n`: a
 * number, `b`: a flag, `s`: a text.
 */
export interface Collection {
  readonly canCreate: boolean;
  readonly canUpdate: boolean;
  /** Written below a record of this collection only. */
  readonly parent?: string;
  readonly hasUserDefinedFields: boolean;
  readonly fields: string;
}

export const collections: Readonly<Record<string, Collection>> = {
  Tickets: {
    canCreate: true,
    canUpdate: true,
    hasUserDefinedFields: true,
    fields:
      'id:n apiVendorID:n assignedResourceID:n assignedResourceRoleID:n billingCodeID:n changeApprovalBoard:n changeApprovalStatus:n changeApprovalType:n changeInfoField1:s changeInfoField2:s changeInfoField3:s changeInfoField4:s changeInfoField5:s companyID:n companyLocationID:n completedByResourceID:n completedDate:d configurationItemID:n contactID:n contractID:n contractServiceBundleID:n contractServiceID:n createDate:d createdByContactID:n creatorResourceID:n creatorType:n currentServiceThermometerRating:n description:s dueDateTime:d estimatedHours:n externalID:s firstResponseAssignedResourceID:n firstResponseDateTime:d firstResponseDueDateTime:d firstResponseInitiatingResourceID:n hoursToBeScheduled:n impersonatorCreatorResourceID:n isAssignedToComanaged:b issueType:n isVisibleToComanaged:b lastActivityDate:d lastActivityPersonType:n lastActivityResourceID:n lastCustomerNotificationDateTime:d lastCustomerVisibleActivityDateTime:d lastTrackedModificationDateTime:d monitorID:n monitorTypeID:n opportunityID:n organizationalLevelAssociationID:n previousServiceThermometerRating:n priority:n problemTicketId:n projectID:n purchaseOrderNumber:s queueID:n resolution:s resolutionPlanDateTime:d resolutionPlanDueDateTime:d resolvedDateTime:d resolvedDueDateTime:d rmaStatus:n rmaType:n rmmAlertID:s serviceLevelAgreementHasBeenMet:b serviceLevelAgreementID:n serviceLevelAgreementPausedNextEventHours:n serviceThermometerTemperature:n source:n status:n subIssueType:n ticketCategory:n ticketNumber:s ticketType:n title:s',
  },
  TicketNotes: {
    canCreate: true,
    canUpdate: true,
    parent: 'Tickets',
    hasUserDefinedFields: false,
    fields:
      'id:n createDateTime:d createdByContactID:n creatorResourceID:n description:s impersonatorCreatorResourceID:n impersonatorUpdaterResourceID:n lastActivityDate:d noteType:n publish:n ticketID:n title:s',
  },
  TicketAttachments: {
    canCreate: true,
    canUpdate: false,
    parent: 'Tickets',
    hasUserDefinedFields: false,
    fields:
      'id:n attachDate:d attachedByContactID:n attachedByResourceID:n attachmentType:s contentType:s creatorType:n fileSize:n fullPath:s impersonatorCreatorResourceID:n opportunityID:n parentAttachmentID:n parentID:n publish:n ticketID:n ticketNoteID:n timeEntryID:n title:s data:s parentType:n isTaskAttachment:b',
  },
  Companies: {
    canCreate: true,
    canUpdate: true,
    hasUserDefinedFields: true,
    fields:
      'id:n additionalAddressInformation:s address1:s address2:s alternatePhone1:s alternatePhone2:s apiVendorID:n assetValue:n billToCompanyLocationID:n billToAdditionalAddressInformation:s billingAddress1:s billingAddress2:s billToAddressToUse:n billToAttention:s billToCity:s billToCountryID:n billToState:s billToZipCode:s city:s classification:n companyCategoryID:n companyName:s companyNumber:s companyType:n competitorID:n countryID:n createDate:d createdByResourceID:n currencyID:n fax:s impersonatorCreatorResourceID:n invoiceEmailMessageID:n invoiceMethod:n invoiceNonContractItemsToParentCompany:b invoiceTemplateID:n isActive:b isClientPortalActive:b isEnabledForComanaged:b isSample:b isTaskFireActive:b isTaxExempt:b lastActivityDate:d lastTrackedModifiedDateTime:d marketSegmentID:n ownerResourceID:n parentCompanyID:n phone:s postalCode:s purchaseOrderTemplateID:n quoteEmailMessageID:n quoteTemplateID:n sicCode:s state:s stockMarket:s stockSymbol:s surveyCompanyRating:n taxID:s taxRegionID:n territoryID:n webAddress:s',
  },
  Contacts: {
    canCreate: true,
    canUpdate: true,
    parent: 'Companies',
    hasUserDefinedFields: true,
    fields:
      'id:n additionalAddressInformation:s addressLine:s addressLine1:s alternatePhone:s apiVendorID:n bulkEmailOptOutTime:d city:s companyID:n companyLocationID:n countryID:n createDate:d emailAddress:s emailAddress2:s emailAddress3:s extension:s externalID:s facebookUrl:s faxNumber:s firstName:s impersonatorCreatorResourceID:n isActive:n isOptedOutFromBulkEmail:b lastActivityDate:d lastModifiedDate:d lastName:s linkedInUrl:s middleInitial:s mobilePhone:s namePrefix:n nameSuffix:n note:s receivesEmailNotifications:b phone:s primaryContact:b billingContact:b roomNumber:s solicitationOptOut:b solicitationOptOutTime:d state:s surveyOptOut:b title:s twitterUrl:s zipCode:s',
  },
  Projects: {
    canCreate: true,
    canUpdate: true,
    hasUserDefinedFields: true,
    fields:
      'id:n actualBilledHours:n actualHours:n changeOrdersBudget:n changeOrdersRevenue:n companyID:n companyOwnerResourceID:n completedDateTime:d completedPercentage:n contractID:n createDateTime:d creatorResourceID:n department:n description:s duration:n endDateTime:d estimatedSalesCost:n estimatedTime:n extProjectNumber:s extProjectType:n impersonatorCreatorResourceID:n laborEstimatedCosts:n laborEstimatedMarginPercentage:n laborEstimatedRevenue:n lastActivityDateTime:d lastActivityPersonType:n lastActivityResourceID:n opportunityID:n organizationalLevelAssociationID:n originalEstimatedRevenue:n projectCostEstimatedMarginPercentage:n projectCostsBudget:n projectCostsRevenue:n projectLeadResourceID:n projectName:s projectNumber:s projectType:n purchaseOrderNumber:s sgda:n startDateTime:d status:n statusDateTime:d statusDetail:s',
  },
  Phases: {
    canCreate: true,
    canUpdate: true,
    parent: 'Projects',
    hasUserDefinedFields: false,
    fields:
      'id:n createDate:d creatorResourceID:n description:s dueDate:d estimatedHours:n externalID:s isScheduled:b lastActivityDateTime:d parentPhaseID:n phaseNumber:s projectID:n startDate:d title:s',
  },
  Tasks: {
    canCreate: true,
    canUpdate: true,
    parent: 'Projects',
    hasUserDefinedFields: true,
    fields:
      'id:n assignedResourceID:n assignedResourceRoleID:n billingCodeID:n canClientPortalUserCompleteTask:b companyLocationID:n completedByResourceID:n completedByType:n completedDateTime:d createDateTime:d creatorResourceID:n creatorType:n departmentID:n description:s endDateTime:d estimatedHours:n externalID:s hoursToBeScheduled:n isTaskBillable:b isVisibleInClientPortal:b lastActivityDateTime:d lastActivityPersonType:n lastActivityResourceID:n phaseID:n priority:n priorityLabel:n projectID:n purchaseOrderNumber:s remainingHours:n startDateTime:d status:n taskCategoryID:n taskNumber:s taskType:n title:s',
  },
  TimeEntries: {
    canCreate: true,
    canUpdate: true,
    hasUserDefinedFields: false,
    fields:
      'id:n billingApprovalDateTime:d billingApprovalLevelMostRecent:n billingApprovalResourceID:n billingCodeID:n contractID:n contractServiceBundleID:n contractServiceID:n createDateTime:d creatorUserID:n dateWorked:d endDateTime:d hoursToBill:n hoursWorked:n impersonatorCreatorResourceID:n impersonatorUpdaterResourceID:n internalBillingCodeID:n internalNotes:s isInternalNotesVisibleToComanaged:b isNonBillable:b lastModifiedDateTime:d lastModifiedUserID:n offsetHours:n resourceID:n roleID:n showOnInvoice:b startDateTime:d summaryNotes:s taskID:n ticketID:n timeEntryType:n',
  },
  ConfigurationItems: {
    canCreate: true,
    canUpdate: true,
    hasUserDefinedFields: true,
    fields:
      'id:n apiVendorID:n configurationItemCategoryID:n companyID:n companyLocationID:n configurationItemType:n contactID:n contractID:n contractServiceBundleID:n contractServiceID:n createDate:d createdByPersonID:n dailyCost:n dattoAvailableKilobytes:n dattoDeviceMemoryMegabytes:n dattoDrivesErrors:b dattoHostname:s dattoInternalIP:s dattoKernelVersionID:n dattoLastCheckInDateTime:d dattoNICSpeedKilobitsPerSecond:n dattoNumberOfAgents:n dattoNumberOfDrives:n dattoNumberOfVolumes:n dattoOffsiteUsedBytes:n dattoOSVersionID:n dattoPercentageUsed:n dattoProtectedKilobytes:n dattoRemoteIP:s dattoSerialNumber:s dattoUptimeSeconds:n dattoUsedKilobytes:n dattoZFSVersionID:n deviceNetworkingID:s domain:s domainRegistrarID:n domainRegistrationDateTime:d domainLastUpdatedDateTime:d domainExpirationDateTime:d hourlyCost:n impersonatorCreatorResourceID:n installDate:d installedByContactID:n installedByID:n isActive:b lastActivityPersonID:n lastActivityPersonType:n lastModifiedTime:d location:s monthlyCost:n notes:s numberOfUsers:n parentConfigurationItemID:n perUseCost:n productID:n referenceNumber:s referenceTitle:s rmmDeviceAuditAntivirusStatusID:n rmmDeviceAuditArchitectureID:n rmmDeviceAuditBackupStatusID:n rmmDeviceAuditDescription:s rmmDeviceAuditDeviceTypeID:n rmmDeviceAuditDisplayAdaptorID:n rmmDeviceAuditDomainID:n rmmDeviceAuditExternalIPAddress:s rmmDeviceAuditHostname:s rmmDeviceAuditIPAddress:s rmmDeviceAuditLastUser:s rmmDeviceAuditMacAddress:s rmmDeviceAuditManufacturerID:n rmmDeviceAuditFirmwareID:n rmmDeviceAuditMemoryBytes:n rmmDeviceAuditMissingPatchCount:n rmmDeviceAuditMobileNetworkOperatorID:n rmmDeviceAuditMobileNumber:s rmmDeviceAuditModelID:n rmmDeviceAuditMotherboardID:n rmmDeviceAuditOperatingSystem:s rmmDeviceAuditPatchStatusID:n rmmDeviceAuditProcessorID:n rmmDeviceAuditServicePackID:n rmmDeviceAuditSNMPContact:s rmmDeviceAuditSNMPLocation:s rmmDeviceAuditSNMPName:s rmmDeviceAuditSoftwareStatusID:n rmmDeviceAuditStorageBytes:n rmmDeviceID:n rmmDeviceUID:s rmmVsaxDeviceID:s rmmOpenAlertCount:n serialNumber:s serviceBundleID:n serviceID:n serviceLevelAgreementID:n setupFee:n sourceChargeID:n sourceChargeType:n sslSource:s sslCommonName:s sslValidFromDateTime:d sslValidUntilDateTime:d sslIssuedBy:s sslOrganization:s sslOrganizationUnit:s sslLocation:s sslSerialNumber:s sslSignatureAlgorithm:s vendorID:n warrantyExpirationDate:d rmmIsInMaintenanceMode:b rmmIsMobileDeviceManagementEnrolled:b rmmDeviceUrl:s',
  },
  Contracts: {
    canCreate: true,
    canUpdate: true,
    hasUserDefinedFields: true,
    fields:
      'id:n billingPreference:n billToCompanyContactID:n billToCompanyID:n companyID:n contactID:n contactName:s contractCategory:n contractExclusionSetID:n contractName:s contractNumber:s contractPeriodType:n contractType:n description:s endDate:d estimatedCost:n estimatedHours:n estimatedRevenue:n exclusionContractID:n internalCurrencyOverageBillingRate:n internalCurrencySetupFee:n isCompliant:b isDefaultContract:b lastModifiedDateTime:d opportunityID:n organizationalLevelAssociationID:n overageBillingRate:n purchaseOrderNumber:s renewedContractID:n serviceLevelAgreementID:n setupFee:n setupFeeBillingCodeID:n startDate:d status:n timeReportingRequiresStartAndStopTimes:n',
  },
  Opportunities: {
    canCreate: true,
    canUpdate: true,
    hasUserDefinedFields: true,
    fields:
      'id:n advancedField1:n advancedField2:n advancedField3:n advancedField4:n advancedField5:n amount:n assessmentScore:n barriers:s closedDate:d companyID:n contactID:n cost:n createDate:d creatorResourceID:n description:s helpNeeded:s impersonatorCreatorResourceID:n lastActivity:d leadSource:n lossReason:n lossReasonDetail:s lostDate:d market:s monthlyCost:n monthlyRevenue:n nextStep:s onetimeCost:n onetimeRevenue:n opportunityCategoryID:n organizationalLevelAssociationID:n ownerResourceID:n primaryCompetitor:n probability:n productID:n projectedCloseDate:d promisedFulfillmentDate:d promotionName:s quarterlyCost:n quarterlyRevenue:n rating:n relationshipAssessmentScore:n revenueSpread:n revenueSpreadUnit:s salesOrderID:n salesProcessPercentComplete:n semiannualCost:n semiannualRevenue:n stage:n startDate:d status:n technicalAssessmentScore:n throughDate:d title:s totalAmountMonths:n useQuoteTotals:b winReason:n winReasonDetail:s yearlyCost:n yearlyRevenue:n',
  },
  Resources: {
    canCreate: false,
    canUpdate: true,
    hasUserDefinedFields: false,
    fields:
      'id:n accountingReferenceID:s dateFormat:s defaultServiceDeskRoleID:n email:s email2:s email3:s emailTypeCode:s emailTypeCode2:s emailTypeCode3:s firstName:s gender:s greeting:n hireDate:d homePhone:s initials:s internalCost:n isActive:b lastName:s licenseType:n locationID:n middleName:s mobilePhone:s numberFormat:s officeExtension:s officePhone:s payrollIdentifier:s payrollType:n resourceType:s suffix:n surveyResourceRating:n timeFormat:s title:s travelAvailabilityPct:s userName:s userType:n',
  },
  ResourceRoles: {
    canCreate: false,
    canUpdate: false,
    hasUserDefinedFields: false,
    fields: 'id:n departmentID:n isActive:b queueID:n resourceID:n roleID:n',
  },
  Roles: {
    canCreate: true,
    canUpdate: true,
    hasUserDefinedFields: false,
    fields:
      'id:n description:s hourlyFactor:n hourlyRate:n isActive:b isExcludedFromNewContracts:b isSystemRole:b name:s quoteItemDefaultTaxCategoryId:n roleType:n',
  },
  Departments: {
    canCreate: true,
    canUpdate: true,
    hasUserDefinedFields: false,
    fields: 'id:n description:s name:s number:s primaryLocationID:n',
  },
  ServiceCalls: {
    canCreate: true,
    canUpdate: true,
    hasUserDefinedFields: false,
    fields:
      'id:n cancelationNoticeHours:n canceledByResourceID:n canceledDateTime:d companyID:n companyLocationID:n createDateTime:d creatorResourceID:n description:s duration:n endDateTime:d impersonatorCreatorResourceID:n isComplete:n lastModifiedDateTime:d startDateTime:d status:n',
  },
  Invoices: {
    canCreate: false,
    canUpdate: true,
    hasUserDefinedFields: false,
    fields:
      'id:n batchID:n comments:s companyID:n createDateTime:d creatorResourceID:n dueDate:d fromDate:d invoiceDateTime:d invoiceEditorTemplateID:n invoiceNumber:s invoiceTotal:n isVoided:b orderNumber:s paidDate:d paymentTerm:n taxGroup:n taxRegionName:s toDate:d totalTaxValue:n voidedByResourceID:n voidedDate:d webServiceDate:d invoiceStatus:n invoiceTaxMethodExternalCode:s',
  },
  BillingItems: {
    canCreate: false,
    canUpdate: true,
    hasUserDefinedFields: false,
    fields:
      'id:n accountManagerWhenApprovedID:n billingCodeID:n taxCategoryID:n billingItemType:n companyID:n configurationItemID:n contractBlockID:n contractChargeID:n contractID:n contractServiceAdjustmentID:n contractServiceBundleAdjustmentID:n contractServiceBundleID:n contractServiceBundlePeriodID:n contractServiceID:n contractServicePeriodID:n description:s expenseItemID:n extendedPrice:n internalCurrencyExtendedPrice:n internalCurrencyRate:n internalCurrencyTaxDollars:n internalCurrencyTotalAmount:n invoiceID:n itemApproverID:n itemDate:d itemName:s lineItemFullDescription:s lineItemGroupDescription:s milestoneID:n nonBillable:n organizationalLevelAssociationID:n ourCost:n postedDate:d postedOnTime:d projectChargeID:n projectID:n purchaseOrderNumber:s quantity:n rate:n roleID:n serviceBundleID:n serviceID:n sortOrderID:n subType:n taskID:n taxDollars:n ticketChargeID:n ticketID:n timeEntryID:n totalAmount:n vendorID:n webServiceDate:d',
  },
  BillingCodes: {
    canCreate: false,
    canUpdate: false,
    hasUserDefinedFields: false,
    fields:
      'id:n afterHoursWorkType:n billingCodeType:n department:n description:s externalNumber:s generalLedgerAccount:n isActive:b isExcludedFromNewContracts:b markupRate:n name:s taxCategoryID:n unitCost:n unitPrice:n useType:n',
  },
  Quotes: {
    canCreate: true,
    canUpdate: true,
    hasUserDefinedFields: false,
    fields:
      'id:n approvalStatus:n approvalStatusChangedByResourceID:n approvalStatusChangedDate:d billToLocationID:n calculateTaxSeparately:b comment:s companyID:n contactID:n createDate:d creatorResourceID:n description:s effectiveDate:d expirationDate:d extApprovalContactResponse:n extApprovalResponseDate:d extApprovalResponseSignature:s externalQuoteNumber:s groupByID:n impersonatorCreatorResourceID:n isActive:b lastActivityDate:d lastModifiedBy:n lastPublishedByResourceID:n lastPublishedDateTime:d name:s opportunityID:n paymentTerm:n paymentType:n primaryQuote:b proposalProjectID:n purchaseOrderNumber:s quoteNumber:n quoteTemplateID:n shippingType:n shipToLocationID:n showEachTaxInGroup:b showTaxCategory:b soldToLocationID:n taxRegionID:n',
  },
  QuoteItems: {
    canCreate: true,
    canUpdate: true,
    parent: 'Quotes',
    hasUserDefinedFields: false,
    fields:
      'id:n averageCost:n chargeID:n description:s expenseID:n highestCost:n internalCurrencyLineDiscount:n internalCurrencyUnitDiscount:n internalCurrencyUnitPrice:n isOptional:b isTaxable:b laborID:n lineDiscount:n markupRate:n name:s percentageDiscount:n periodType:n productID:n quantity:n quoteID:n quoteItemType:n serviceBundleID:n serviceID:n shippingID:n sortOrderID:n taxCategoryID:n totalEffectiveTax:n unitCost:n unitDiscount:n unitPrice:n',
  },
  Products: {
    canCreate: true,
    canUpdate: true,
    hasUserDefinedFields: true,
    fields:
      'id:n billingType:n chargeBillingCodeID:n createdByResourceID:n createdTime:d defaultVendorID:n description:s doesNotRequireProcurement:b externalProductID:s impersonatorCreatorResourceID:n internalProductID:s isActive:b isEligibleForRma:b isSerialized:b link:s manufacturerName:s manufacturerProductName:s markupRate:n msrp:n name:s periodType:n priceCostMethod:n productBillingCodeID:n productCategory:n sku:s unitCost:n unitPrice:n vendorProductNumber:s defaultInstalledProductCategoryID:n',
  },
};
